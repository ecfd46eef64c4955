//! Messages that wait for a connection.

use std::collections::VecDeque;

use towline_proto::Message;

/// Messages that wait for a connection, within bounds.
#[derive(Debug)]
pub(super) struct Queue {
    messages: VecDeque<Message>,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
}

impl Queue {
    pub(super) fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self { messages: VecDeque::new(), bytes: 0, max_messages, max_bytes }
    }

    /// Whether nothing may ever wait.
    pub(super) fn is_off(&self) -> bool {
        self.max_messages == 0
    }

    /// Takes a message, or says that there is no room for it.
    pub(super) fn push(&mut self, message: Message) -> Result<(), Full> {
        let bytes = self.bytes.saturating_add(message.len());
        if self.messages.len() >= self.max_messages || bytes > self.max_bytes {
            return Err(Full);
        }
        self.bytes = bytes;
        self.messages.push_back(message);
        Ok(())
    }

    pub(super) fn first(&self) -> Option<&Message> {
        self.messages.front()
    }

    pub(super) fn pop(&mut self) {
        if let Some(message) = self.messages.pop_front() {
            self.bytes -= message.len();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

/// There is no room.
#[derive(Debug)]
pub(super) struct Full;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_by_number_and_by_bytes() {
        let mut queue = Queue::new(2, 10);
        assert!(queue.push("12345678901".into()).is_err());
        queue.push("123456".into()).unwrap();
        assert!(queue.push("12345".into()).is_err());
        queue.push("1234".into()).unwrap();
        assert!(queue.push("".into()).is_err());
        assert_eq!(queue.first(), Some(&"123456".into()));
        queue.pop();
        queue.push("123456".into()).unwrap();
        queue.pop();
        queue.pop();
        queue.pop();
        assert!(queue.is_empty() && queue.bytes == 0);
        assert!(Queue::new(0, 0).push("".into()).is_err());
    }
}
