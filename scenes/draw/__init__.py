"""Drawing: fonts, layout, camera, mobjects and animations. Knows neither stories nor stages."""
