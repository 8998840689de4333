"""Answers that decline by courtesy: the words of a yes, said in favour of somebody else."""

Y, N, U = "yes", "no", "unsure"

# (language, what she wrote, what she means); written before the rule knew of this turn, and learnt from.
POLITE_KNOWN = (
    ("en", "Please go ahead with somebody else.", N),
    ("en", "Do offer it to the next in line.", N),
    ("en", "Let someone else have them.", N),
    ("en", "I'll take a pass, thank you.", N),
    ("en", "Please take me off the list.", N),
    ("en", "Go ahead and let the next lady have them, I'm fine.", N),
    ("en", "Please go ahead without me.", N),
    ("en", "I'd be happy to see them go to another customer.", N),
    ("en", "I'd love for somebody else to enjoy them.", N),
    ("it", "Lasciateli pure a un'altra.", N),
    ("it", "Proceda pure con un'altra cliente.", N),
    ("it", "Volentieri, ma li dia a qualcun altro.", U),
    ("it", "Mi tolga pure dalla lista, grazie.", N),
)

# Written before the rule was touched up a second time; nothing of it was learnt from these.
POLITE_HELD_OUT = (
    ("en", "How lovely! Do let somebody else enjoy these, my wardrobe is full.", N),
    ("en", "Please move on to the next person on the list.", N),
    ("en", "Feel free to sell them to another client.", N),
    ("en", "I'll give these a miss, with thanks.", N),
    ("en", "Kindly remove me from the queue for these.", N),
    ("en", "By all means offer them to whoever is next.", N),
    ("en", "Sure, go ahead, give them to another customer.", N),
    ("en", "Absolutely, let the next in line have her turn.", N),
    ("en", "I'll take them before somebody else does!", "yes"),
    ("en", "Please go ahead, and let me know if others like them come.", U),
    ("it", "Ceda pure il paio a chi viene dopo.", N),
    ("it", "Certo, le offra pure alla prossima cliente.", N),
    ("it", "Andate pure avanti senza di me.", N),
    ("it", "Cedo volentieri il mio posto.", N),
    ("it", "Sì, li prendo prima che li prenda un'altra!", "unsure"),
)
