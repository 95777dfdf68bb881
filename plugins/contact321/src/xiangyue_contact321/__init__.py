"""Three-colour households (三色户) of Hanyin's 321 scheme, 汉办发〔2021〕11号: a colour by rule, confirmed by
people."""
