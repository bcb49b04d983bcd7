from aircraft_course.handed_out import hand_on

hand_on(__name__, "aircraft.datasets.storage")
