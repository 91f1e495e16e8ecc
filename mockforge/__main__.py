"""`python -m mockforge` is the `mockforge` command."""

from mockforge.cli.main import run

if __name__ == "__main__":
    run()
