"""The stages in the order of one alert, one file each: what the functions hand over to."""
