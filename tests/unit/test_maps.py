"""Maps: a breakdown by area on the shapes of a boundary file, as councils and the ONS give them."""

import json

import numpy as np
import pytest
from childlink_client import Answer, Cell, ClientError, Dimension, Measure, Release
from childlink_client.boundaries import read_boundaries
from childlink_client.charts import as_image, draw
from childlink_client.cli import main
from childlink_client.client import Client
from childlink_client.explorer.gate import Ticket
from childlink_client.explorer.page import create_explorer
from childlink_client.report import make_report
from click.testing import CliRunner
from matplotlib.backends.backend_agg import FigureCanvasAgg

WARDS = {"E05000416": "Bishop's", "E05000417": "Brixton Hill", "outside": "Outside the borough"}


def square(left, bottom, size=1.0):
    right, top = left + size, bottom + size
    return [[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]]


def feature(code, *polygons, name="", **more):
    return {
        "type": "Feature",
        "properties": {"WD13CD": code, "WD13NM": name, "WD13NMW": None},
        "geometry": {"type": "MultiPolygon", "coordinates": list(polygons)},
        **more,
    }


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.fixture
def lambeth(tmp_path):
    features = [
        feature("E05000416", [square(0, 51)], name="Bishop's"),
        feature("E05000417", [square(1, 51)], name="Brixton Hill"),
    ]
    return written(tmp_path / "lambeth.json", {"type": "FeatureCollection", "features": features})


def pixels(figure):
    """The colour of the drawn map at a place."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = np.asarray(canvas.buffer_rgba())

    def colour_at(x, y):
        across, up = figure.axes[0].transData.transform((x, y))
        return tuple(map(int, image[image.shape[0] - 1 - round(up), round(across), :3]))

    return colour_at


def an_answer(counts, by="ward", titles=WARDS):
    dimension = Dimension(by, "Ward", dict(titles))
    measure = Measure("reach_children", "Children reached", "", "children", "", {by: dimension})
    cells = tuple(
        Cell((code,), count, "" if count is not None else "<10", None, "")
        for code, count in counts.items()
    )
    return Answer(Release("r1", 1, "2026-01-01", "rounded", "0" * 64), measure, (by,), cells, ())


def test_areas_are_found_by_code(lambeth):
    made = an_answer({"E05000416": 40, "E05000417": None, "outside": 15}).mapped(
        read_boundaries([lambeth])
    )
    assert [(name, bar.value) for name, bar, _ in made.areas] == [
        ("Bishop's", 40),
        ("Brixton Hill", None),
    ]
    assert made.elsewhere == ("Outside the borough",), "no group vanishes"


def test_areas_are_found_by_title_in_whatever_case(lambeth):
    answer = an_answer({"b": 40, "h": 20}, titles={"b": "BISHOP'S", "h": "Brixton hill"})
    areas = answer.mapped(read_boundaries([lambeth])).areas
    assert [name for name, *_ in areas] == ["BISHOP'S", "Brixton hill"]


def test_a_title_that_two_areas_have_places_neither(tmp_path):
    """In a file of all England, many boroughs have a ward of one name."""
    features = [
        feature("E1", [square(0, 51)], name="Park"),
        feature("E2", [square(1, 51)], name="Park"),
        feature("E3", [square(2, 51)], name="Mill"),
        feature("E4", [square(3, 51)], name="Town"),
    ]
    path = written(tmp_path / "a.json", {"type": "FeatureCollection", "features": features})
    shapes = read_boundaries([path])
    answer = an_answer({"p": 40, "m": 20, "t": 9}, titles={"p": "Park", "m": "Mill", "t": "Town"})
    made = answer.mapped(shapes)
    assert ([name for name, *_ in made.areas], made.elsewhere) == (["Mill", "Town"], ("Park",))
    coded = an_answer({"E1": 40, "E2": 20}, titles={"E1": "Park", "E2": "Park"}).mapped(shapes)
    assert [(name, bar.value) for name, bar, _ in coded.areas] == [("Park", 40), ("Park", 20)]


def test_a_ring_that_is_not_closed_keeps_its_last_corner(tmp_path):
    features = [
        feature("E05000416", [square(0, 51)[:-1]]),
        feature("E05000417", [square(1, 51)]),
    ]
    path = written(tmp_path / "a.json", {"type": "FeatureCollection", "features": features})
    made = an_answer({"E05000416": 40, "E05000417": 50}).mapped(read_boundaries([path]))
    assert pixels(draw(made, "", ""))(0.1, 51.9) != (255, 255, 255)


def test_a_withheld_area_is_hatched_and_says_why_and_is_not_coloured(lambeth):
    made = an_answer({"E05000416": 40, "E05000417": None}).mapped(read_boundaries([lambeth]))
    axes = draw(made, "Children reached", "release r1").axes[0]
    shown, withheld = axes.patches
    assert (shown.get_hatch(), withheld.get_hatch()) == (None, "////")
    assert withheld.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    assert {text.get_text() for text in axes.texts} == {"Bishop's\n40", "Brixton\nHill\n<10"}


def test_an_area_in_several_features_or_with_a_hole_keeps_all_of_it(tmp_path):
    features = [
        feature("E05000416", [square(0, 51), square(0.4, 51.4, 0.2)]),
        feature("E05000416", [square(5, 51)]),
        feature("E05000417", [square(1, 51)]),
    ]
    path = written(tmp_path / "a.json", {"type": "FeatureCollection", "features": features})
    made = an_answer({"E05000416": 40, "E05000417": 50}).mapped(read_boundaries([path]))
    colour_at = pixels(draw(made, "", ""))
    assert colour_at(0.5, 51.5) == (255, 255, 255), "the hole"
    assert colour_at(0.1, 51.1) == colour_at(5.5, 51.2) != (255, 255, 255), "the island"


def test_a_name_stands_inside_its_area_even_if_the_area_is_bent(tmp_path):
    bent = [[0, 0], [9, 0], [9, 9], [8, 9], [8, 1], [0, 1], [0, 0]]
    features = [feature("E05000416", [bent]), feature("E05000417", [square(0, 2)])]
    path = written(tmp_path / "a.json", {"type": "FeatureCollection", "features": features})
    made = an_answer({"E05000416": 40, "E05000417": 50}).mapped(read_boundaries([path]))
    text, _ = draw(made, "", "").axes[0].texts
    assert 8 < text.xy[0] < 9


def test_shared_borders_in_topojson_are_read_both_ways_round(tmp_path, lambeth):
    """Two squares with one border, on a grid of tenths. A council publishes its wards like this."""
    topology = {
        "type": "Topology",
        "transform": {"scale": [0.1, 0.1], "translate": [0, 51]},
        "objects": {
            "wards": {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Polygon", "id": "E05000416", "arcs": [[0, 1]]},
                    {"type": "MultiPolygon", "id": "E05000417", "arcs": [[[2, -1]]]},
                ],
            }
        },
        "arcs": [
            [[10, 0], [0, 10]],
            [[10, 10], [-10, 0], [0, -10], [10, 0]],
            [[10, 0], [10, 0], [0, 10], [-10, 0]],
        ],
    }
    path = written(tmp_path / "topo.json", topology)
    counts = {"E05000416": 40, "E05000417": 50}
    found, expected = (
        an_answer(counts).mapped(read_boundaries([file])).areas for file in (path, lambeth)
    )
    for (*_, shape), (*_, read) in zip(expected, found, strict=True):
        [[outline]], [[same]] = shape, read
        assert {(round(x, 6), round(y, 6)) for x, y in same} == set(outline)


def test_one_feature_to_a_line_and_a_single_feature_are_read(tmp_path):
    one, two = feature("E05000416", [square(0, 51)]), feature("E05000417", [square(1, 51)])
    lines = written(tmp_path / "a.geojsonl", f"{json.dumps(one)}\n{json.dumps(two)}\n")
    each = [written(tmp_path / f"{n}.json", item) for n, item in enumerate((one, two))]
    for paths in ([lines], each):
        made = an_answer({"E05000416": 40, "E05000417": 50}).mapped(read_boundaries(paths))
        assert len(made.areas) == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("PK\x03\x04 a shapefile", "neither GeoJSON nor TopoJSON"),
        ("", "holds no areas"),
        ("[1, 2]", "holds no areas"),
        ('{"type": "FeatureCollection", "features": []}', "holds no areas"),
        ({"features": [feature("a", [[[0, 0], [1, 1]]])]}, "is damaged"),
        ({"features": [feature("a", [[[0], [1], [2]]])]}, "is damaged"),
        ({"features": [feature("a", [[["x", 0], [1, 1], [2, 2]]])]}, "is damaged"),
        ({"features": [5]}, "is damaged"),
        ({"type": "Topology", "objects": {}}, "is damaged"),
        ({"features": [{"properties": {}, "geometry": None}]}, "holds no areas"),
    ],
)
def test_a_file_that_is_no_boundary_file_is_refused_in_words(tmp_path, content, says):
    with pytest.raises(ClientError, match=says):
        read_boundaries([written(tmp_path / "wards.json", content)])


def test_degrees_and_metres_are_not_mixed(tmp_path):
    paths = [
        written(tmp_path / f"{name}.json", feature("E05000416", [square(left, 51)]))
        for name, left in (("degrees", 0), ("metres", 530_000))
    ]
    with pytest.raises(ClientError, match="one is in degrees and another in metres"):
        read_boundaries(paths)


def test_a_breakdown_that_is_not_by_these_areas_says_what_the_file_has(lambeth):
    answer = an_answer({"1": 40, "2": 50}, by="imd_quintile", titles={"1": "1", "2": "2"})
    assert answer.mapped(read_boundaries([lambeth])) is None
    with pytest.raises(ClientError, match="an area has: WD13CD E05000416, WD13NM Bishop's"):
        answer.plot_map(lambeth)


def test_equal_and_wholly_withheld_figures_can_be_drawn(lambeth):
    shapes = read_boundaries([lambeth])
    for counts in ((40, 40), (None, None), (0, 0)):
        made = an_answer(dict(zip(WARDS, counts, strict=False))).mapped(shapes)
        assert made.empty == (counts[0] is None)
        assert as_image(draw(made, "Children reached", "release r1", narrow=True), "png")


@pytest.fixture
def residences(tmp_path):
    features = [
        feature("1", [square(0, 51)], name="In the programme's area"),
        feature("2", [square(1, 51)], name="Elsewhere in the borough"),
    ]
    return written(tmp_path / "areas.json", {"type": "FeatureCollection", "features": features})


def test_the_command_writes_a_map(answering_address, residences, tmp_path):
    def run(*more):
        asked = ("--address", answering_address, "ask", "reach_children", *more)
        return CliRunner().invoke(main, asked)

    out = tmp_path / "map.svg"
    done = run("--by", "residence", "--map", str(out), "--boundaries", str(residences))
    assert done.exit_code == 0
    assert "<svg" in out.read_text()
    assert "needs --boundaries" in run("--by", "residence", "--map", str(out)).output
    refused = run("--by", "sex", "--map", str(out), "--boundaries", str(residences))
    assert (refused.exit_code, "A map needs one breakdown" in refused.output) == (1, True)


def test_a_report_shows_maps_where_it_has_boundaries(answering_address, residences):
    questions = (
        'title = "T"\n[[section]]\ntitle = "S"\n'
        '[[section.question]]\nmeasure = "reach_children"\nby = ["residence"]\n'
    )
    with Client(answering_address) as client:
        page = make_report(client, questions, boundaries=read_boundaries([residences]))
        assert page.count('alt="Map. ') == 1
        assert 'alt="Map. ' not in make_report(client, questions)


def test_the_explorer_draws_a_map_beside_the_chart_and_offers_it(answering_address, residences):
    shapes = read_boundaries([residences])
    with Client(answering_address) as client:
        ticket = Ticket()
        browser = create_explorer(client, ticket, boundaries=shapes).test_client()
        browser.get(f"/enter?ticket={ticket.text}")
        page = browser.get("/ask?measure=reach_children&by=residence").text
        assert ('alt="Map. ' in page, "Map as SVG" in page) == (True, True)
        assert b"<svg" in browser.get("/ask/map.svg?measure=reach_children&by=residence").data
        assert 'alt="Map. ' not in browser.get("/ask?measure=reach_children&by=sex").text
        assert browser.get("/ask/map.svg?measure=reach_children&by=sex").status_code == 404
