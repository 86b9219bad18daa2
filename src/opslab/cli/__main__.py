"""``python -m opslab.cli``: the command line."""

from opslab.cli import main

if __name__ == "__main__":
    main(prog_name="opslab")
