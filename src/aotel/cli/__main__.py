"""`python -m aotel.cli`, where the script `aotel` is not on the path."""

from aotel.cli import main

main()
