import { fakeClock } from "@ims/runtime/testing";
import { memoryCalendar } from "@ims/store";
import { calendarCompliance } from "@ims/store/testing";

calendarCompliance("memory", () => {
  const clock = fakeClock();
  return { calendar: memoryCalendar({ clock }), now: clock.now(), advance: clock.advance };
});
