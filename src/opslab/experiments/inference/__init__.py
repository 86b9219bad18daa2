"""Effects with their intervals and p-values: plain functions of moments."""
