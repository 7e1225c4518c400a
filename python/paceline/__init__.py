"""Paceline in Python. Nothing is imported here, so that `paceline.glue` works where the engine's extension is not installed."""

from pkgutil import extend_path

# The wheels `paceline` and `paceline-glue` each bring a part of this package, perhaps to different folders of sys.path.
__path__ = extend_path(__path__, __name__)
