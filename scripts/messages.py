"""Bring the translation catalogues up to the code: `.venv/bin/python scripts/messages.py`. Prints what is left to translate."""

from relance.lib.catalogues import compile_catalogues, update_catalogues

if __name__ == "__main__":
    for room, wanting in update_catalogues().items():
        print(f"{room}: {wanting} to translate")
    compile_catalogues()
