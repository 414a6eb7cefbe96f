"""`python -m idp.cli`: the same as the console script `idp`."""

from idp.cli import main

main()
