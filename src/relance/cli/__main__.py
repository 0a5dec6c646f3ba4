"""`python -m relance.cli`: the command, for programs that start other commands of ours."""

from .main import main

main()
