"""What leaves the project: clips of a film's sections and beats, in the formats that talks and pages take."""
