"""After many experiments: what they show together, and how long a decision takes."""
