"""The soak: the server under load, faults and kills for longer than a test takes. `make soak`.

    crash.py      it is killed while people write: see what was acknowledged
    load.py       16 writers and 64 readers at once
    outages.py    its database fails for a while: `tests/faults.py`
    generated.py  thousands of generated requests, held against the OpenAPI document

`lab.py` starts servers and databases, `writers.py` works with them and knows what it was told (`journal.py`),
`looking.py` and `checks.py` look whether it is so. The short forms are in `tests/test_soak.py`,
`tests/test_faults.py` and `tests/test_schemathesis.py`.
"""
