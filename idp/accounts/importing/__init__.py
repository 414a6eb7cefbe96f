"""The import: from a file of landlords to accounts whose credentials wait to be sent.

`reading` takes lines apart, `rows` says whether one describes an account, `importer` makes it, `report` tells.
One line of the file is one row, one transaction and one line of the report.
"""
