"""The floor for anything that reads Python in Python: ``ast.parse`` of every file below a folder."""

import ast
import sys
from pathlib import Path

for path in sorted(Path(sys.argv[1]).rglob("*.py")):
    ast.parse(path.read_bytes())
