"""Acts of the register (变动): what happens to persons and households on a day, kept, and undone while nothing was
built on it.

``work`` carries one act, ``persons`` and ``homes`` say what each kind does, ``days`` which day it may have, ``undo``
takes it back, ``reports`` lets it wait for the village, ``corrections`` is for forms that change a person.
"""
