"""Asks cfn-lint, which finds nothing in the template of any variant."""

import subprocess
import sys
from pathlib import Path

from cloud import PACKAGE


def test_cfn_lint_is_clean(tmp_path):
    subprocess.run(["node", str(PACKAGE / "build" / "test" / "synthesise.js"), str(tmp_path)], check=True, capture_output=True)
    # Variants of worker types differ in one word: one of them stands for all.
    templates = [str(each) for each in tmp_path.glob("*/*.template.json") if "/worker-" not in str(each) or "/worker-R.8X/" in str(each)]
    assert len(templates) >= 15
    lint = [str(Path(sys.executable).parent / "cfn-lint"), "--config-file", str(PACKAGE / ".cfnlintrc"), *templates]
    done = subprocess.run(lint, cwd=PACKAGE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
