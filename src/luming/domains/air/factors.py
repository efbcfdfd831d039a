"""Factors of the air quality index: HJ 212 / HJ 524 codes of the short names of luming.standards.air."""

FACTORS = {"a21026": "so2", "a21004": "no2", "a21005": "co", "a05024": "o3", "a34002": "pm10", "a34004": "pm25"}
CODES = {short: code for code, short in FACTORS.items()}
UNITS = {code: "mg/m³" if short == "co" else "µg/m³" for code, short in FACTORS.items()}  # of GB 3095
