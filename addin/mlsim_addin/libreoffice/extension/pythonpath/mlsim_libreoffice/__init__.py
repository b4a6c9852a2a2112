"""What runs inside LibreOffice: it stands alone and keeps to Python 3.8, which older versions bring."""
