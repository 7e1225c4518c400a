"""Packs wheels again with libdeflate's best compression, which any unzip reads: `repack.py WHEEL …`. The same files, some 3 % smaller."""

import os
import sys
import zipfile
from pathlib import Path

import deflate

BEST = 12


class Compressor:
    """What zipfile asks for, over a library that takes a file at once."""

    def __init__(self) -> None:
        self.data = bytearray()

    def compress(self, data: bytes) -> bytes:
        self.data += data
        return b""

    def flush(self) -> bytes:
        return deflate.deflate_compress(self.data, BEST)


def repack(wheel: Path) -> None:
    packed = wheel.with_suffix(".packed")
    zipfile._get_compressor = lambda *_: Compressor()  # zipfile has no other place for it
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(packed, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, old.read(entry))
    with zipfile.ZipFile(packed) as new:
        broken = new.testzip()
    if broken or packed.stat().st_size > wheel.stat().st_size:
        sys.exit(f"error: {packed} is not better than {wheel}: {broken or 'it is larger'}")
    os.replace(packed, wheel)


for name in sys.argv[1:]:
    repack(Path(name))
