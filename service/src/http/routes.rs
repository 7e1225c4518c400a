//! Every route, once; the OpenAPI document says the same, and a test compares them.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::sync::watch;

use super::problem::Problem;
use super::{App, assets, events, guard, jobs, metrics};

/// The routes under `/api/v1`, with their methods.
#[cfg(test)]
pub const API: &[(&str, &str)] = &[
    ("get", "/api/v1/jobs"),
    ("post", "/api/v1/jobs"),
    ("get", "/api/v1/jobs/{id}"),
    ("get", "/api/v1/jobs/{id}/plan"),
    ("get", "/api/v1/jobs/{id}/dead-letters"),
    ("get", "/api/v1/jobs/{id}/logs"),
    ("get", "/api/v1/jobs/{id}/events"),
    ("post", "/api/v1/jobs/{id}/cancel"),
    ("post", "/api/v1/jobs/{id}/resume"),
    ("post", "/api/v1/jobs/{id}/redrive"),
    ("get", "/api/v1/events"),
    ("get", "/api/v1/executors"),
    ("get", "/api/v1/configuration"),
    ("get", "/api/v1/openapi.json"),
];

/// Adds them; without jobs only metrics and health.
pub fn add(router: Router<App>, jobs: bool, end: watch::Receiver<bool>) -> Router<App> {
    let router = router.route("/metrics", get(metrics::metrics)).route("/health", get(metrics::health));
    if !jobs {
        return router;
    }
    let of_job = {
        let end = end.clone();
        move |app, id, headers| events::of_job(app, id, headers, end.clone())
    };
    let of_all = move |app| events::of_all(app, end.clone());
    router
        .route("/api/v1/jobs", get(jobs::list).post(jobs::submit))
        .route("/api/v1/jobs/{id}", get(jobs::detail))
        .route("/api/v1/jobs/{id}/plan", get(jobs::plan))
        .route("/api/v1/jobs/{id}/dead-letters", get(jobs::dead_letters))
        .route("/api/v1/jobs/{id}/logs", get(jobs::logs))
        .route("/api/v1/jobs/{id}/events", get(of_job))
        .route("/api/v1/jobs/{id}/cancel", post(jobs::cancel))
        .route("/api/v1/jobs/{id}/resume", post(jobs::resume))
        .route("/api/v1/jobs/{id}/redrive", post(jobs::redrive))
        .route("/api/v1/events", get(of_all))
        .route("/api/v1/executors", get(jobs::executors))
        .route("/api/v1/configuration", get(jobs::configuration))
        .route("/api/v1/openapi.json", get(assets::openapi))
        .route("/login", post(guard::login))
        .route("/logout", post(guard::logout))
        .route("/", get(assets::page))
        .route("/assets/{name}", get(assets::asset))
}

/// There is nothing.
pub async fn nothing(uri: axum::http::Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", format!("there is nothing at {}", uri.path()))
}

/// There is something, but not for this method.
pub async fn not_so(method: axum::http::Method, uri: axum::http::Uri) -> Problem {
    let why = format!("{} does not take {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_openapi_document_has_every_route_and_no_other() {
        let document: serde_json::Value = serde_json::from_str(assets::OPENAPI).unwrap();
        let mut documented: Vec<_> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
                methods.map(move |method| (method.clone(), path.clone()))
            })
            .collect();
        let mut routes: Vec<_> = API.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
        documented.sort();
        routes.sort();
        assert_eq!(documented, routes);
    }
}
