"""Records: real tables from entities, the one write path, events, queries, history."""
