"""Tables that stay where they are, in PostgreSQL or Spark, which sum them: only sums come here."""
