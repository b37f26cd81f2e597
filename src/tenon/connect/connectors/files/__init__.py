"""CSV and Excel files in a folder of this machine, or on an FTP, FTPS or SFTP server."""

from tenon.connect.connectors.files.connector import FilesConnector

__all__ = ["FilesConnector"]
