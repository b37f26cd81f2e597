"""Files that other systems export: CSV and Excel, in a folder or over FTP, FTPS or SFTP."""

from tenon.connect.connectors.files.connector import FilesConnector

__all__ = ["FilesConnector"]
