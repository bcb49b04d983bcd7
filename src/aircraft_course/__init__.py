"""The course around the package: `checks` and grading, `drawings`, and what all lessons use (`lessons`)."""
