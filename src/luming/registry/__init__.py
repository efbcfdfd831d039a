"""Places: regions, facilities, outlets, stations, devices, series, limits; imports; the city profile."""
