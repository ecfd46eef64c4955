//! Runs a script in an engine of its own, within limits.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use rquickjs::context::EvalOptions;
use rquickjs::convert::Coerced;
use rquickjs::function::Func;
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Function, Object, Runtime, Value};

use super::answer::shorten;
use super::{address, pattern};

/// What a script may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For running, without the look-ups.
    pub(super) time: Duration,
    /// For all look-ups together: later ones find nothing.
    pub(super) look_ups: Duration,
    pub(super) memory_bytes: usize,
    pub(super) stack_bytes: usize,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self {
        // Most take a thousandth of it.
        time: Duration::from_secs(5),
        look_ups: Duration::from_secs(20),
        // Chrome gives 64 MiB to an engine that needs more.
        memory_bytes: 32 << 20,
        // A thread of tokio's has 2 MiB.
        stack_bytes: 256 << 10,
    };
}

/// Most names that a script may have looked up. Later ones are not found.
const MAX_LOOK_UPS: usize = 32;

/// Longest name that is looked up (RFC 1035 §2.3.4).
const MAX_NAME_BYTES: usize = 255;

/// The name by which errors call the script.
const FILE: &str = "script";

/// Looks up a name, and waits for it.
pub(super) type LookUp = Box<dyn Fn(&str) -> Vec<IpAddr>>;

/// The machine that a script can ask.
pub(super) struct Machine {
    pub(super) look_up: LookUp,
    pub(super) now: SystemTime,
}

/// What the script answers about an address.
pub(super) fn run(
    script: &str,
    (url, host): (&str, &str),
    machine: Machine,
    limits: Limits,
) -> Result<String, String> {
    let failed = |error: rquickjs::Error| format!("the engine for scripts failed: {error}");
    let runtime = Runtime::new().map_err(failed)?;
    runtime.set_memory_limit(limits.memory_bytes);
    runtime.set_max_stack_size(limits.stack_bytes);
    let names =
        Rc::new(Names { machine, limits, known: RefCell::default(), spent: Cell::default() });
    let late = Rc::new(Cell::new(false));
    let (begun, watched, overdue) = (Instant::now(), Rc::clone(&names), Rc::clone(&late));
    runtime.set_interrupt_handler(Some(Box::new(move || {
        let is_late = begun.elapsed().saturating_sub(watched.spent.get()) > limits.time;
        overdue.set(is_late);
        is_late
    })));
    let context = Context::full(&runtime).map_err(failed)?;
    context.with(|ctx| {
        let answer = find(&ctx, script, url, host, &names).catch(&ctx);
        answer.map_err(|error| match late.get() {
            true => format!("it ran for more than {} s", limits.time.as_secs_f32()),
            false => told(&error),
        })
    })
}

fn find(
    ctx: &Ctx<'_>,
    script: &str,
    url: &str,
    host: &str,
    names: &Rc<Names>,
) -> rquickjs::Result<String> {
    let make: Function<'_> = ctx.eval(include_str!("functions.js"))?;
    let functions: Object<'_> = make.call((asked(ctx, names)?,))?;
    for property in functions.props::<String, Value<'_>>() {
        let (name, function) = property?;
        ctx.globals().set(name, function)?;
    }
    let mut options = EvalOptions::default();
    // They are older than strict mode.
    options.strict = false;
    options.filename = Some(FILE.to_owned());
    ctx.eval_with_options::<(), _>(script, options)?;
    // It may be a `const`, which is no property of the global object.
    let found: Option<Function<'_>> = ctx.eval(
        "typeof FindProxyForURL === 'function' ? FindProxyForURL : \
         typeof FindProxyForURLEx === 'function' ? FindProxyForURLEx : undefined",
    )?;
    let missing = || rquickjs::Exception::throw_type(ctx, "it has no function FindProxyForURL");
    let answer: Value<'_> = found.ok_or_else(missing)?.call((url, host))?;
    match answer.as_string() {
        Some(text) => text.to_string(),
        None if answer.is_null() || answer.is_undefined() => Ok(String::new()),
        None => Err(rquickjs::Exception::throw_type(
            ctx,
            "FindProxyForURL gave something else than text",
        )),
    }
}

/// What the functions ask of the machine.
fn asked<'js>(ctx: &Ctx<'js>, names: &Rc<Names>) -> rquickjs::Result<Object<'js>> {
    let machine = Object::new(ctx.clone())?;
    let now = names.machine.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let milliseconds = now.as_secs_f64() * 1000.0;
    machine.set("clock", Func::from(move || milliseconds))?;
    let names = Rc::clone(names);
    machine.set("lookUp", Func::from(move |host: String| names.look_up(&host)))?;
    machine.set("own", Func::from(address::own))?;
    let is_in_net = |ip: String, net: String, mask: String| address::is_in_net(&ip, &net, &mask);
    machine.set("isInNet", Func::from(is_in_net))?;
    let is_in_prefix = |ip: String, prefix: String| address::is_in_prefix(&ip, &prefix);
    machine.set("isInPrefix", Func::from(is_in_prefix))?;
    machine.set("sorted", Func::from(|list: String| address::sorted(&list)))?;
    let matches = |text: String, pattern: String| pattern::matches(&text, &pattern);
    machine.set("matches", Func::from(matches))?;
    Ok(machine)
}

/// An error of the script, with its line.
fn told(error: &CaughtError<'_>) -> String {
    match error {
        CaughtError::Error(error) => format!("the engine for scripts failed: {error}"),
        CaughtError::Value(value) => {
            let text = value.get::<Coerced<String>>();
            shorten(&text.map_or_else(|_| "it threw something".to_owned(), |text| text.0))
        }
        CaughtError::Exception(exception) => {
            let message = shorten(&exception.message().unwrap_or_default());
            match exception.stack().as_deref().and_then(line) {
                Some(line) => format!("line {line}: {message}"),
                None => message,
            }
        }
    }
}

/// The line of the script in a stack such as `at f (script:3:5)`.
fn line(stack: &str) -> Option<u32> {
    let mark = format!("{FILE}:");
    let (_, behind) = stack.split_once(&mark)?;
    let end = behind.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(behind.len());
    behind[..end].parse().ok()
}

/// What was looked up.
struct Names {
    machine: Machine,
    limits: Limits,
    known: RefCell<BTreeMap<String, Vec<String>>>,
    /// How long all of it took.
    spent: Cell<Duration>,
}

impl Names {
    fn look_up(&self, host: &str) -> Vec<String> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return vec![ip.to_string()];
        }
        if host.len() > MAX_NAME_BYTES {
            return Vec::new();
        }
        let host = host.to_ascii_lowercase();
        let mut known = self.known.borrow_mut();
        if let Some(ips) = known.get(&host) {
            return ips.clone();
        }
        if known.len() >= MAX_LOOK_UPS || self.spent.get() >= self.limits.look_ups {
            return Vec::new();
        }
        let begun = Instant::now();
        let ips: Vec<_> =
            (self.machine.look_up)(&host).into_iter().map(|ip| ip.to_string()).collect();
        self.spent.set(self.spent.get() + begun.elapsed());
        known.insert(host, ips.clone());
        ips
    }
}
