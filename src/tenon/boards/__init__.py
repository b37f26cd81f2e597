"""Boards: cards that answer a question with live figures, and open to the rows behind them."""
