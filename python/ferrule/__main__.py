"""`python -m ferrule`: the same as the command `ferrule`."""

from ferrule.cli import main

main()
