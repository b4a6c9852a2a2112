"""Excel on Windows, Mac and the web, through Office.js and a server on this machine."""
