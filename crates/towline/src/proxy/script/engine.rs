//! Runs a script in an engine of its own, within limits.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use rquickjs::context::EvalOptions;
use rquickjs::convert::Coerced;
use rquickjs::function::Func;
use rquickjs::{
    CatchResultExt, CaughtError, Context, Ctx, Exception, Function, Object, Runtime, Value,
};

use super::answer::shorten;
use super::{address, pattern};

/// What a script may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For running, without the look-ups.
    pub(super) time: Duration,
    /// For all look-ups together.
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

/// Most names that a script may have looked up.
const MAX_LOOK_UPS: usize = 32;

/// Longest name that is looked up (RFC 1035 §2.3.4).
const MAX_NAME_BYTES: usize = 255;

/// The name by which errors call the script.
const FILE: &str = "script";

/// The addresses of a name, or why it is not known whether it has any.
pub(crate) type Found = Result<Vec<IpAddr>, String>;

/// Looks up a name, and waits for it so long.
pub(super) type LookUp = Box<dyn Fn(&str, Duration) -> Found>;

/// The machine that a script can ask.
pub(super) struct Machine {
    pub(super) look_up: LookUp,
    pub(super) now: SystemTime,
}

/// Why there is no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Failure {
    /// The script is at fault.
    Script(String),
    /// What it asked could not be answered, which may be otherwise later.
    LookUp(String),
}

/// What the script answers about an address.
pub(super) fn run(
    script: &str,
    (url, host): (&str, &str),
    machine: Machine,
    limits: Limits,
) -> Result<String, Failure> {
    let failed =
        |error: rquickjs::Error| Failure::Script(format!("the engine for scripts failed: {error}"));
    let runtime = Runtime::new().map_err(failed)?;
    runtime.set_memory_limit(limits.memory_bytes);
    runtime.set_max_stack_size(limits.stack_bytes);
    let names = Rc::new(Names {
        machine,
        limits,
        begun: Instant::now(),
        known: RefCell::default(),
        spent: Cell::default(),
        over: RefCell::default(),
    });
    let watched = Rc::clone(&names);
    runtime.set_interrupt_handler(Some(Box::new(move || watched.is_late())));
    let context = Context::full(&runtime).map_err(failed)?;
    context.with(|ctx| {
        let answer = find(&ctx, script, url, host, &names).catch(&ctx);
        // Whatever the script made of it: it may have caught an error, and gone another way.
        match names.over.take() {
            Some(failure) => Err(failure),
            None => answer.map_err(|error| Failure::Script(told(&error))),
        }
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
    let missing = || Exception::throw_type(ctx, "it has no function FindProxyForURL");
    let answer: Value<'_> = found.ok_or_else(missing)?.call((url, host))?;
    match answer.as_string() {
        Some(text) => text.to_string(),
        None if answer.is_null() || answer.is_undefined() => Ok(String::new()),
        None => Err(Exception::throw_type(ctx, "FindProxyForURL gave something else than text")),
    }
}

/// What the functions ask of the machine.
fn asked<'js>(ctx: &Ctx<'js>, names: &Rc<Names>) -> rquickjs::Result<Object<'js>> {
    let machine = Object::new(ctx.clone())?;
    let now = names.machine.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let milliseconds = now.as_secs_f64() * 1000.0;
    machine.set("clock", Func::from(move || milliseconds))?;
    let asked = Rc::clone(names);
    let look_up = move |ctx: Ctx<'js>, host: String| {
        let ips = asked.look_up(&host);
        ips.ok_or_else(|| Exception::throw_message(&ctx, "the name could not be looked up"))
    };
    machine.set("lookUp", Func::from(look_up))?;
    machine.set("own", Func::from(address::own))?;
    let is_in_net = |ip: String, net: String, mask: String| address::is_in_net(&ip, &net, &mask);
    machine.set("isInNet", Func::from(is_in_net))?;
    let is_in_prefix = |ip: String, prefix: String| address::is_in_prefix(&ip, &prefix);
    machine.set("isInPrefix", Func::from(is_in_prefix))?;
    machine.set("sorted", Func::from(|list: String| address::sorted(&list)))?;
    let watched = Rc::clone(names);
    let matches = move |ctx: Ctx<'js>, text: String, pattern: String| {
        // The engine looks at the clock seldom, and one of these may take a while.
        match watched.is_late() {
            true => Err(Exception::throw_message(&ctx, "it is too late")),
            false => Ok(pattern::matches(&text, &pattern)),
        }
    };
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

/// What was looked up, and what came of it.
struct Names {
    machine: Machine,
    limits: Limits,
    begun: Instant,
    known: RefCell<BTreeMap<String, Vec<String>>>,
    /// How long all of it took.
    spent: Cell<Duration>,
    /// Why the script is at its end, if it is.
    over: RefCell<Option<Failure>>,
}

impl Names {
    /// Whether the script has used up its time.
    fn is_late(&self) -> bool {
        let is_late = self.begun.elapsed().saturating_sub(self.spent.get()) > self.limits.time;
        if is_late {
            let limit = self.limits.time.as_secs_f32();
            let why = format!("it ran for more than {limit} s");
            self.end::<()>(Failure::Script(why));
        }
        is_late
    }

    /// The addresses of a name. `None` is the end of the script: without them, or as if there were none,
    /// it would choose another way than the right one.
    fn look_up(&self, host: &str) -> Option<Vec<String>> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Some(vec![ip.to_string()]);
        }
        if host.len() > MAX_NAME_BYTES {
            return Some(Vec::new());
        }
        let host = host.to_ascii_lowercase();
        let mut known = self.known.borrow_mut();
        if let Some(ips) = known.get(&host) {
            return Some(ips.clone());
        }
        if known.len() >= MAX_LOOK_UPS {
            let why = format!("it looked up more than {MAX_LOOK_UPS} names");
            return self.end(Failure::Script(why));
        }
        let begun = Instant::now();
        let left = self.limits.look_ups.saturating_sub(self.spent.get());
        let found = (self.machine.look_up)(&host, left);
        self.spent.set(self.spent.get() + begun.elapsed());
        match found {
            Ok(ips) => {
                let ips: Vec<_> = ips.iter().map(IpAddr::to_string).collect();
                known.insert(host, ips.clone());
                Some(ips)
            }
            Err(why) => self.end(Failure::LookUp(why)),
        }
    }

    fn end<T>(&self, why: Failure) -> Option<T> {
        self.over.borrow_mut().get_or_insert(why);
        None
    }
}
