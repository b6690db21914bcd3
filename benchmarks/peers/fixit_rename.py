"""The rename as a Fixit rule: by qualified name, imports and uses."""

import libcst as cst
from fixit import LintRule
from libcst.metadata import QualifiedName, QualifiedNameProvider, QualifiedNameSource

MODULE, OLD, NEW = "pipecat.frames.frames", "Frame", "BenchmarkFrame"
_WANTED = QualifiedName(f"{MODULE}.{OLD}", QualifiedNameSource.IMPORT)


class RenamedFrame(LintRule):
    """``Frame`` is called ``BenchmarkFrame``."""

    METADATA_DEPENDENCIES = (QualifiedNameProvider,)

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:  # noqa: N802
        """Change the imported name; its parts are no uses."""
        if (
            node.module is not None
            and cst.Module([]).code_for_node(node.module) == MODULE
        ):
            for alias in () if isinstance(node.names, cst.ImportStar) else node.names:
                if alias.name.value == OLD:
                    self.report(
                        alias,
                        "renamed",
                        replacement=alias.with_changes(name=cst.Name(NEW)),
                    )
        return False

    def visit_Name(self, node: cst.Name) -> None:  # noqa: N802
        """Change one use."""
        if node.value == OLD and _WANTED in self.get_metadata(
            QualifiedNameProvider, node, set()
        ):
            self.report(node, "renamed", replacement=node.with_changes(value=NEW))
