"""Parts of `webhook_to_job`: a joined home, the floor beside it, who knocks and who watches."""
