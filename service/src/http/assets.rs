//! The page and what it needs, in the binary. Nothing comes from other hosts, and the browser is told so.

use axum::extract::Path;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// The OpenAPI document.
pub const OPENAPI: &str = include_str!("openapi.json");

const PAGE: &str = include_str!("../../../web/index.html");

/// Name, type and content.
const ASSETS: &[(&str, &str, &str)] = &[
    ("page.css", "text/css; charset=utf-8", include_str!("../../../web/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("../../../web/page.js")),
    ("events.js", "text/javascript; charset=utf-8", include_str!("../../../web/events.js")),
    ("show.js", "text/javascript; charset=utf-8", include_str!("../../../web/show.js")),
    ("charts.js", "text/javascript; charset=utf-8", include_str!("../../../web/charts.js")),
    ("uplot.js", "text/javascript; charset=utf-8", include_str!("../../../web/vendor/uPlot.iife.min.js")),
    ("uplot.css", "text/css; charset=utf-8", include_str!("../../../web/vendor/uPlot.min.css")),
];

/// What the page may do: use its own assets and ask its own service.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page.
pub async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (HeaderName::from_static("content-security-policy"), POLICY),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, PAGE).into_response()
}

/// What the page needs.
pub async fn asset(Path(name): Path<String>) -> Response {
    let Some((_, kind, content)) = ASSETS.iter().find(|(known, ..)| *known == name) else {
        let why = format!("there is no asset '{name}'");
        return Problem::new(StatusCode::NOT_FOUND, "not-found", why).into_response();
    };
    ([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-cache")], *content).into_response()
}

/// `GET /openapi.json`
pub async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_small_and_needs_nothing_of_other_hosts() {
        let all = PAGE.len() + ASSETS.iter().map(|(.., content)| content.len()).sum::<usize>();
        assert!(all < 300 << 10, "{all} bytes");
        for (name, _, content) in ASSETS.iter().chain(&[("index.html", "", PAGE)]) {
            let own = content.replace("http://www.w3.org/", "").replace("https://github.com/leeoniya/uPlot", "");
            assert!(!own.contains("http://") && !own.contains("https://"), "{name} names another host");
        }
        for name in PAGE.split("/assets/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(ASSETS.iter().any(|(known, ..)| *known == name), "{name} is not there");
        }
    }
}
