"""stub"""
import pathlib
def write(folder: pathlib.Path, *, quick: bool) -> str:
    return "stub"
