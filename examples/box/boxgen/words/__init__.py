# SPDX-License-Identifier: MIT
"""Word lists of the box, written for it. Everything a request may contain is drawn from here."""
