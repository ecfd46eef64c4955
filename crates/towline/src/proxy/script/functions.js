// The functions that scripts may call, by what Netscape (1996) and Microsoft (the ones in Ex) wrote of
// them. What needs the network, the clock or numbers of 128 bits is asked of the `machine`. An end of a
// range is in it as a whole, as to browsers: timeRange(9, 17) holds until 17:59:59.
(machine) => {
    "use strict";
    const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                    "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    const V4 = /^\d{1,3}(\.\d{1,3}){3}$/;

    const isText = (value) => typeof value === "string";
    const lower = (value) => String(value).toLowerCase();
    const v4 = (list) => list.filter((ip) => V4.test(ip));
    const resolve = (host) => (isText(host) && host !== "" ? machine.lookUp(host) : []);

    // The arguments without "GMT" at their end, and the parts of the time now.
    const when = (args) => {
        const gmt = args.length > 0 && String(args.at(-1)).toUpperCase() === "GMT";
        const now = new Date(machine.clock());
        const get = (name) => (gmt ? now["getUTC" + name]() : now["get" + name]());
        return [gmt ? args.slice(0, -1) : args, get];
    };
    // Whether it is between two, of which the first may come later: then the end is in the next round.
    const within = (from, now, to) =>
        from <= to ? from <= now && now <= to : from <= now || now <= to;
    const order = (parts) => parts.reduce((sum, part) => sum * 100 + part, 0);
    const index = (names, name) => names.indexOf(String(name).toUpperCase());

    // A day is a number up to 31, a year any other, a month a name.
    const RANK = { year: 0, month: 1, day: 2 };
    const kind = (part) => {
        if (isText(part) && index(MONTHS, part) >= 0) return "month";
        const number = Number(part);
        if (!Number.isInteger(number) || number < 1) return undefined;
        return number <= 31 ? "day" : "year";
    };
    const value = (part) => (kind(part) === "month" ? index(MONTHS, part) : Number(part));
    const dated = (parts) => {
        const kinds = parts.map(kind);
        const distinct = new Set(kinds).size === kinds.length;
        return distinct && !kinds.includes(undefined) ? kinds : undefined;
    };

    return {
        isPlainHostName: (host) => !/[.:]/.test(String(host)),
        dnsDomainIs: (host, domain) => lower(host).endsWith(lower(domain)),
        localHostOrDomainIs: (host, name) =>
            lower(host) === lower(name) || lower(name).startsWith(lower(host) + "."),
        isResolvable: (host) => v4(resolve(host)).length > 0,
        isResolvableEx: (host) => resolve(host).length > 0,
        dnsResolve: (host) => v4(resolve(host))[0] ?? null,
        dnsResolveEx: (host) => resolve(host).join(";"),
        myIpAddress: () => v4(machine.own())[0] ?? "127.0.0.1",
        myIpAddressEx: () => machine.own().join(";"),
        isInNet: (host, net, mask) => {
            const ip = v4(resolve(host))[0];
            return ip !== undefined && machine.isInNet(ip, String(net), String(mask));
        },
        isInNetEx: (ip, prefix) => machine.isInPrefix(String(ip), String(prefix)),
        sortIpAddressList: (list) => machine.sorted(String(list)) ?? false,
        getClientVersion: () => "1.0",
        dnsDomainLevels: (host) => String(host).split(".").length - 1,
        shExpMatch: (text, pattern) => {
            const [one, two] = [String(text), String(pattern)];
            // It is not interrupted, so it must not take long.
            if (one.length * two.length > 1e8) throw new RangeError("shExpMatch: too much text");
            return machine.matches(one, two);
        },
        alert: () => undefined,

        weekdayRange: (...args) => {
            const [names, get] = when(args);
            const days = names.map((name) => index(DAYS, name));
            const [from, to = from] = days;
            if (days.length < 1 || days.length > 2 || days.includes(-1)) return false;
            return within(from, get("Day"), to);
        },
        dateRange: (...args) => {
            const [parts, get] = when(args);
            const half = parts.length / 2;
            const ends = [parts.slice(0, half), parts.slice(half)];
            const same = (one, two) => one !== undefined && one.join() === two?.join();
            // Both ends, or one date alone.
            if (parts.length % 2 !== 0 || !same(dated(ends[0]), dated(ends[1]))) {
                ends.fill(parts);
            }
            const kinds = dated(ends[0]);
            if (kinds === undefined || kinds.length === 0) return false;
            const now = { year: get("FullYear"), month: get("Month"), day: get("Date") };
            const ranked = kinds.map((_, at) => at).sort((a, b) => RANK[kinds[a]] - RANK[kinds[b]]);
            const sum = (of) => order(ranked.map(of));
            const [from, to] = ends.map((end) => sum((at) => value(end[at])));
            // A year does not come round again.
            if (kinds.includes("year") && from > to) return false;
            return within(from, sum((at) => now[kinds[at]]), to);
        },
        timeRange: (...args) => {
            const [parts, get] = when(args);
            const numbers = parts.map(Number);
            if (![1, 2, 4, 6].includes(numbers.length) || !numbers.every(Number.isInteger)) {
                return false;
            }
            const units = Math.ceil(numbers.length / 2);
            const now = [get("Hours"), get("Minutes"), get("Seconds")].slice(0, units);
            return within(order(numbers.slice(0, units)), order(now), order(numbers.slice(-units)));
        },
    };
}
