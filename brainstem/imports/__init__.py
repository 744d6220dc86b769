"""Import of tables: from the bytes of a CSV file to records, by the same operations as pages and scripts.

`tables` reads bytes into rows, `matching` says which column is which field (`kinds` lists the names that
people use), `values` reads cells, `plan` makes the payload of each row, `carrying` judges and stores
them in one transaction, and `runs` keeps what a person is importing through the pages.
"""
