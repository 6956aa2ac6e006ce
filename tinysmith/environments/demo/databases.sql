-- A ferry line that never was. Invented for tinysmith's demonstrations.

CREATE DATABASE ferry_line;
USE ferry_line;

CREATE TABLE ports (
  port_id int NOT NULL AUTO_INCREMENT,
  name varchar(40) NOT NULL,
  island varchar(40) DEFAULT NULL,
  PRIMARY KEY (port_id)
);
INSERT INTO ports VALUES
  (1, 'Alderwick', NULL), (2, 'Brimsey', 'Brim'), (3, 'Corrie Sound', 'Corrie'),
  (4, 'Dunmarrow', NULL), (5, 'Eelgarth', 'Brim');

CREATE TABLE boats (
  boat_id int NOT NULL AUTO_INCREMENT,
  name varchar(40) NOT NULL,
  seats int NOT NULL,
  launched int NOT NULL,
  home_port_id int NOT NULL,
  PRIMARY KEY (boat_id),
  KEY boats_port (home_port_id),
  CONSTRAINT boats_port FOREIGN KEY (home_port_id) REFERENCES ports (port_id)
);
INSERT INTO boats VALUES
  (1, 'Kittiwake', 120, 1998, 1), (2, 'Grey Heron', 340, 2011, 1), (3, 'Oystercatcher', 85, 1987, 2),
  (4, 'Petrel', 210, 2004, 4), (5, 'Little Auk', 60, 2019, 3), (6, 'Fulmar', 340, 2016, 4),
  (7, 'Old Cormorant', 150, 1979, 5);

CREATE TABLE routes (
  route_id int NOT NULL AUTO_INCREMENT,
  from_port_id int NOT NULL,
  to_port_id int NOT NULL,
  minutes int NOT NULL,
  fare decimal(6,2) NOT NULL,
  PRIMARY KEY (route_id),
  KEY routes_from (from_port_id),
  KEY routes_to (to_port_id)
);
INSERT INTO routes VALUES
  (1, 1, 2, 35, 7.50), (2, 1, 3, 80, 14.00), (3, 4, 5, 50, 9.80), (4, 2, 5, 20, 3.20), (5, 3, 4, 95, 16.40);

CREATE TABLE sailings (
  sailing_id int NOT NULL AUTO_INCREMENT,
  route_id int NOT NULL,
  boat_id int NOT NULL,
  departs datetime NOT NULL,
  passengers int DEFAULT NULL,
  delay_min int NOT NULL DEFAULT '0',
  PRIMARY KEY (sailing_id),
  KEY sailings_route (route_id),
  KEY sailings_boat (boat_id)
);
INSERT INTO sailings VALUES
  (1, 1, 1, '2031-05-01 07:10:00', 96, 0), (2, 1, 2, '2031-05-01 12:30:00', 281, 4),
  (3, 2, 2, '2031-05-01 17:45:00', 190, 12), (4, 3, 4, '2031-05-01 08:00:00', 143, 0),
  (5, 3, 6, '2031-05-02 08:00:00', 255, 0), (6, 4, 3, '2031-05-02 09:20:00', 41, 25),
  (7, 4, 3, '2031-05-02 18:20:00', 77, 3), (8, 5, 6, '2031-05-03 10:00:00', 301, 0),
  (9, 1, 1, '2031-05-03 07:10:00', 118, 0), (10, 2, 6, '2031-05-04 09:00:00', NULL, 0),
  (11, 4, 5, '2031-05-04 11:40:00', 58, 0), (12, 1, 2, '2031-05-04 12:30:00', 322, 9);
