//! Plots as SVG: lines of values over a few named places, on a logarithmic scale.

use std::fmt::Write as _;

/// One line of a plot.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "nobody but the benchmarks uses it")]
pub struct Line {
    /// What the legend calls it.
    pub name: String,
    /// A value for each place.
    pub values: Vec<f64>,
}

const COLOURS: [&str; 9] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#882255", "#44aa99"];
const WIDTH: f64 = 680.0;
const HEIGHT: f64 = 360.0;
/// Where the lines are.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 470.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 310.0;

/// Draws the lines over `places`. Each power of ten has a mark.
pub fn draw(title: &str, unit: &str, over: &str, places: &[String], lines: &[Line]) -> String {
    let values = || lines.iter().flat_map(|line| &line.values).filter(|value| **value > 0.0);
    let lowest = values().copied().fold(f64::INFINITY, f64::min).log10().floor();
    let highest = values().copied().fold(0.0, f64::max).log10().ceil().max(lowest + 1.0);
    let x = |place: usize| {
        let last = f64::from(u32::try_from(places.len().max(2) - 1).unwrap_or(1));
        LEFT + (RIGHT - LEFT) * f64::from(u32::try_from(place).unwrap_or_default()) / last
    };
    let y = |value: f64| BOTTOM - (BOTTOM - TOP) * (value.log10() - lowest) / (highest - lowest);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    );
    let mut text = |x: f64, y: f64, anchor: &str, colour: &str, text: &str| {
        // Writing into a string cannot fail.
        _ = writeln!(svg, "<text x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>");
    };
    text(LEFT, 22.0, "start", "#000", &format!("{title}, {unit}"));
    text(f64::midpoint(LEFT, RIGHT), HEIGHT - 10.0, "middle", "#000", over);
    for (place, name) in places.iter().enumerate() {
        text(x(place), BOTTOM + 18.0, "middle", "#000", name);
    }
    let mut power = lowest;
    while power <= highest {
        text(LEFT - 8.0, y(10_f64.powf(power)) + 4.0, "end", "#000", &format!("{}", 10_f64.powf(power)));
        power += 1.0;
    }
    for ((nth, line), colour) in lines.iter().enumerate().zip(COLOURS.iter().cycle()) {
        let row = TOP + 12.0 + 18.0 * f64::from(u32::try_from(nth).unwrap_or_default());
        text(RIGHT + 16.0, row, "start", colour, &line.name);
    }
    let mut power = lowest;
    while power <= highest {
        let at = y(10_f64.powf(power));
        _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{RIGHT}\" stroke=\"#ddd\"/>");
        power += 1.0;
    }
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let points: Vec<_> = line.values.iter().enumerate().filter(|(_, value)| **value > 0.0).collect();
        let path: Vec<_> = points.iter().map(|(place, value)| format!("{:.1},{:.1}", x(*place), y(**value))).collect();
        _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        for (place, value) in points {
            _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>", x(place), y(*value));
        }
    }
    svg.push_str("</svg>\n");
    svg
}
