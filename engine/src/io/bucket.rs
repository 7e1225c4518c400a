//! Makes a bucket, which object_store does not know how to do.

use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpConnector, HttpRequest, HttpRequestBody};

use super::stores::{Store, Stores};
use crate::EngineError;

impl Stores {
    /// Makes the bucket of a URL where there is none. Returns whether it did.
    ///
    /// # Errors
    /// The URL names no bucket, the bucket is somebody else's, or S3 does not allow it.
    pub async fn create_bucket(&self, url: &str) -> Result<bool, EngineError> {
        let place = self.place(url)?;
        let (Store::S3(_), Some(bucket)) = (&place.store, place.url.host_str()) else {
            return Err(EngineError::Setting(format!(
                "'{url}' has no bucket that could be created; use s3://bucket/…"
            )));
        };
        // Whoever may list it may use it; S3 says of one's own bucket too that it exists already.
        if place.store.objects().list_with_delimiter(Some(&place.path)).await.is_ok() {
            return Ok(false);
        }
        let failed = |why: String| EngineError::Setting(format!("cannot create the bucket '{bucket}': {why}"));
        let unreachable =
            |source| EngineError::Storage { action: "cannot create the bucket of", url: url.to_owned(), source };
        let s3 = self.s3();
        let shared = s3.shared()?;
        let body = match shared.region.as_str() {
            "us-east-1" => String::new(), // the only region that must not be named
            region => format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
            ),
        };
        let endpoint = match &shared.endpoint {
            Some(endpoint) => endpoint.as_str().trim_end_matches('/').to_owned(),
            None => format!("https://s3.{}.amazonaws.com", shared.region),
        };
        let address = format!("{endpoint}/{bucket}").parse();
        let mut request = HttpRequest::new(HttpRequestBody::from(body));
        *request.uri_mut() = address.map_err(|error| failed(format!("{endpoint}/{bucket} is no address: {error}")))?;
        "PUT".parse().into_iter().for_each(|method| *request.method_mut() = method); // it does parse
        let credential = shared.credentials.get_credential().await.map_err(unreachable)?;
        AwsAuthorizer::new(&credential, "s3", &shared.region).authorize(&mut request, None);

        let client = s3.connector().connect(&s3.client_options()?).map_err(unreachable)?;
        let reply = client.execute(request).await.map_err(|error| failed(error.to_string()))?;
        let status = reply.status();
        let body = reply.into_body().bytes().await.map_err(|error| failed(error.to_string()))?;
        let body = String::from_utf8_lossy(&body);
        match status.as_u16() {
            200..300 => Ok(true),
            409 if body.contains("BucketAlreadyOwnedByYou") => Ok(false),
            409 => {
                Err(failed("there is one of that name already, and it is not yours; choose another name".to_owned()))
            }
            _ => Err(failed(format!("S3 answers {status}: {body}"))),
        }
    }
}
