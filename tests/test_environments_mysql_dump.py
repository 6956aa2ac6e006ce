"""Dumps of MySQL, as SQLite databases."""

import sqlite3

import pytest

from tinysmith.environments._mysql_dump import DumpError, load_dump
from tinysmith.environments._mysql_functions import register

DUMP = r"""
-- MySQL dump 10.13
CREATE USER 'admin'@'%' IDENTIFIED BY 'admin';
CREATE DATABASE  IF NOT EXISTS `Seeds` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;
USE `Seeds`;
/*!40101 SET @OLD=@@CHARACTER_SET_CLIENT */;
DROP TABLE IF EXISTS `Plant`;
CREATE TABLE `Plant` (
  `Plant_ID` int NOT NULL AUTO_INCREMENT,
  `Name` varchar(20) COLLATE utf8mb4_general_ci DEFAULT 'a; b',
  `Weight` decimal(19,4) DEFAULT '0.0000',
  `Sown` datetime DEFAULT CURRENT_TIMESTAMP,
  `Code` char(3) NOT NULL,
  `Bed` int DEFAULT NULL,
  PRIMARY KEY (`Plant_ID`),
  UNIQUE KEY `code` (`Code`),
  KEY `bed` (`Bed`,`Name`),
  FULLTEXT KEY `words` (`Name`),
  CONSTRAINT `fk` FOREIGN KEY (`Bed`) REFERENCES `Bed` (`Bed_ID`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
LOCK TABLES `Plant` WRITE;
INSERT INTO `Plant` VALUES (1,'D\'Arcy; (x)',-2.5,'2030-01-02 03:04:05','AB',-3),(2,NULL,1.25,NULL,'CD',NULL);
UNLOCK TABLES;
"""


def with_table(rest: str) -> str:
    return f"CREATE DATABASE d; USE d; CREATE TABLE t (a int, b text); {rest}"


class TestLoadDump:
    def test_rows(self) -> None:
        """Rows arrive with their escapes, signs and NULLs."""
        loaded = load_dump(DUMP)["seeds"]
        connection = sqlite3.connect(":memory:")
        connection.deserialize(loaded.image)
        register(connection, "seeds")
        rows = connection.execute("SELECT * FROM plant").fetchall()
        connection.close()
        assert rows == [
            (1, "D'Arcy; (x)", -2.5, "2030-01-02 03:04:05", "AB", -3),
            (2, None, 1.25, None, "CD", None),
        ]

    def test_columns(self) -> None:
        """Columns keep what DESCRIBE shows of them."""
        table = load_dump(DUMP)["seeds"].schema.tables["plant"]
        shown = [(each.name, each.type, each.null, each.key, each.default, each.extra) for each in table.columns]
        assert shown == [
            ("Plant_ID", "int", "NO", "PRI", None, "auto_increment"),
            ("Name", "varchar(20)", "YES", "", "a; b", ""),
            ("Weight", "decimal(19,4)", "YES", "", "0.0000", ""),
            ("Sown", "datetime", "YES", "", "CURRENT_TIMESTAMP", ""),
            ("Code", "char(3)", "NO", "UNI", None, ""),
            ("Bed", "int", "YES", "MUL", None, ""),
        ]
        assert table.indexes == (("plant_id",), ("code",), ("bed", "name"))
        assert table.columns[1].data_type == "varchar"

    def test_repr(self) -> None:
        """The image is not shown."""
        assert "image" not in repr(load_dump(DUMP)["seeds"])

    @pytest.mark.parametrize(
        ("dump", "said"),
        [
            ("", "no CREATE DATABASE"),
            ("-- nothing", "no CREATE DATABASE"),
            ("CREATE DATABASE d; USE d; SELECT 1", "ends within a statement: 'SELECT 1'"),
            ("CREATE TABLE t (a int);", "outside of any database"),
            ("CREATE DATABASE d; USE d; CREATE TABLE t (a int;", "columns cannot be read"),
            ("CREATE DATABASE d; USE d; CREATE TABLE t;", "columns cannot be read"),
            ("CREATE DATABASE d; USE d; CREATE TABLE t (5 int);", "a column cannot be read: '5 int'"),
            ("CREATE DATABASE d; USE d; CREATE TABLE t (a int, KEY broken);", ""),
            (with_table("INSERT INTO u VALUES (1);"), "not created before"),
            (with_table("INSERT INTO t VALUES (1);"), "1 values for the 2 columns of 't'"),
            (with_table("INSERT INTO t VALUES (1,NOW());"), "a value cannot be read: 'NOW'"),
            (with_table("CREATE TABLE u (a int, A int);"), "database 'd': duplicate column name"),
        ],
    )
    def test_broken(self, dump: str, said: str) -> None:
        """A dump that cannot be read says what is wrong; an index without columns is passed over."""
        if said:
            with pytest.raises(DumpError, match=said.replace("(", r"\(")):
                load_dump(dump)
        else:
            assert load_dump(dump)["d"].schema.tables["t"].indexes == ()

    def test_semicolons(self) -> None:
        """Empty statements are nothing."""
        assert list(load_dump(";;CREATE DATABASE d;;")) == ["d"]
