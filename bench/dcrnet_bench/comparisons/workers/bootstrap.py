"""Run a module of ours in an interpreter that has not installed us.

    python bootstrap.py '{"dcrnet_bench": FOLDER, ...}' MODULE [ARGUMENT ...]

The named packages can be imported and nothing that is installed beside them: their place is put
on no path.
"""

from __future__ import annotations

import json
import runpy
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def main(folders: str, module: str) -> None:
    """Make the packages of a JSON object importable, and run the module as a program."""
    for name, folder in json.loads(folders).items():
        spec = spec_from_file_location(
            name, Path(folder) / "__init__.py", submodule_search_locations=[folder]
        )
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = package = module_from_spec(spec)
        spec.loader.exec_module(package)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    del sys.path[0]  # this folder, whose modules are called like what they measure
    main(sys.argv.pop(1), sys.argv.pop(1))
