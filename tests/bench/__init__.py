"""The benchmarks: a real `idp run` beside npm `oidc-provider` in memory, on one CPU, driven from another.

`./dev bench`, or `python -m tests.bench --help`. Compare the ratios, which are paired within a repeat: absolute rates
and even CPU times move with whatever else the machine does.
"""
