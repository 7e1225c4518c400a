"""The wheel that the job runs: the built one, else one of the launcher's sources, which takes the binary that PACELINE names."""

import base64
import hashlib
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "python"


def built():
    """What `make wheel` has built, or None."""
    wheels = sorted(REPOSITORY.glob("dist/paceline_glue-*x86_64.whl")) + sorted(REPOSITORY.glob("dist/paceline_glue-*any.whl"))
    return wheels[-1] if wheels else None


def wheel(folder):
    """Returns the wheel to deploy. It is built into `folder` where none was built by `make wheel`."""
    if built() is not None:
        return built()
    path = folder / "paceline_glue-0.0.0-py3-none-any.whl"
    sources = [*(SOURCES / "paceline").glob("__init__.py"), *sorted((SOURCES / "paceline" / "glue").rglob("*.py"))]
    files = {str(file.relative_to(SOURCES)): file.read_bytes() for file in sources}
    info = "paceline_glue-0.0.0.dist-info"
    files[f"{info}/METADATA"] = b"Metadata-Version: 2.1\nName: paceline-glue\nVersion: 0.0.0\n"
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: infrastructure/deployed\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{name},sha256={digest(content)},{len(content)}\n" for name, content in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
