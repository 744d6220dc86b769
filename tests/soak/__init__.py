"""The soak: the server under load, faults and kills for longer than a test takes. `make soak`.

    crash.py      it is killed while people write: see what was acknowledged
    load.py       16 writers and 64 readers at once
    generated.py  thousands of generated requests, held against the OpenAPI document

`lab.py` starts servers and databases, `writers.py` works with them and knows what it was told (`journal.py`),
`looking.py` and `checks.py` look whether it is so. `tests/test_soak.py` has the short form of each.
"""
