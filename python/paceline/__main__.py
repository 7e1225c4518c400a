"""`python -m paceline`"""

from paceline.command_line import main

main()
